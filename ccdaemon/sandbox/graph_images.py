"""Tiny valid pictures, made from a number, so that photos differ and nobody ships one."""

import struct
import zlib

EDGE_PIXELS = 8

# Code lengths and symbols of the usual luminance DC table (ITU T.81 K.3.1), and an AC table that knows "end of block".
_DC_TABLE = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)) + bytes(range(12))
_AC_TABLE = bytes((1, *(0,) * 15)) + b"\0"
_DC_CODES = ("00", "010", "011", "100", "101", "110", "1110", "11110", "111110")
_END_OF_BLOCK = "0"


def png(number: int) -> bytes:
    """A PNG of one colour."""
    colour = struct.pack(">I", number & 0xFFFFFFFF)[1:]
    rows = (b"\0" + colour * EDGE_PIXELS) * EDGE_PIXELS
    header = struct.pack(">IIBBBBB", EDGE_PIXELS, EDGE_PIXELS, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"tEXt", b"Comment\0" + str(number).encode()), (b"IDAT", zlib.compress(rows)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in (*parts, (b"IEND", b"")))


def jpeg(number: int) -> bytes:
    """A baseline JPEG of one grey."""
    frame = struct.pack(">BHHBBBB", 8, EDGE_PIXELS, EDGE_PIXELS, 1, 1, 0x11, 0)
    segments = (
        (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        (0xFE, str(number).encode()),
        (0xDB, b"\0" + b"\x08" * 64),
        (0xC0, frame),
        (0xC4, b"\x00" + _DC_TABLE),
        (0xC4, b"\x10" + _AC_TABLE),
        (0xDA, b"\1\1\0\0\x3f\0"),
    )
    head = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return b"\xff\xd8" + head + _scan(number % 256 - 128) + b"\xff\xd9"


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _scan(level: int) -> bytes:
    """One block of one level, Huffman coded; the level counts from mid grey."""
    size = abs(level).bit_length()
    amplitude = level if level >= 0 else level + (1 << size) - 1
    bits = _DC_CODES[size] + (format(amplitude, f"0{size}b") if size else "") + _END_OF_BLOCK
    bits += "1" * (-len(bits) % 8)
    octets = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return octets.replace(b"\xff", b"\xff\0")
