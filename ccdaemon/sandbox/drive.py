"""The Drive API v3 as far as storage goes: ``about``. Source: providers.md 1.4; drive.v3 discovery document."""

from ccdaemon.sandbox.google_wire import authorised, dumped, google_error, parameters, partial
from ccdaemon.sandbox.wire import Answer, Json, Request, Routes
from ccdaemon.sandbox.world import Identity, World

AUTH = "https://www.googleapis.com/auth/drive"
SCOPES = frozenset(
    {
        AUTH,
        *(f"{AUTH}.{name}" for name in ("readonly", "file", "appdata", "metadata", "metadata.readonly")),
    }
)
GIB = 1024**3
LIMIT = 15 * GIB
FIELDS = frozenset(
    {
        *("kind", "user", "storageQuota", "importFormats", "exportFormats", "maxImportSizes", "maxUploadSize"),
        *("appInstalled", "folderColorPalette", "driveThemes", "canCreateDrives"),
    }
)
"""What ``fields`` may name; only user and storageQuota are answered."""


class Drive:
    """The one route. Every second person has no limit, as unlimited plans have none."""

    def __init__(self, world: World) -> None:
        self._world = world

    def register(self, routes: Routes) -> None:
        """It."""
        routes.add("GET", "www.googleapis.com", "/drive/v3/about", self.about)

    def about(self, request: Request) -> Answer:
        """Quota figures as decimal strings. ``fields`` is required."""
        identity = authorised(request, self._world, SCOPES)
        parameters(request, {})
        if not request.one("fields"):
            message = "The 'fields' parameter is required for this method."
            raise google_error(400, message, reason="required", location=("parameter", "fields"))
        return partial(request, dumped(self._payload(identity)), FIELDS)

    def _payload(self, identity: Identity) -> Json:
        chance = self._world.chance("drive", identity.id)
        in_drive, elsewhere = chance.randrange(8 * GIB), chance.randrange(4 * GIB)
        quota = {"usage": in_drive + elsewhere, "usageInDrive": in_drive, "usageInDriveTrash": chance.randrange(GIB)}
        is_limited = list(self._world.identities).index(identity.id) % 2 == 0
        user: Json = {"kind": "drive#user", "displayName": identity.name, "me": True}
        user |= {"permissionId": identity.google_sub, "emailAddress": identity.google_email}
        figures = {"limit": LIMIT, **quota} if is_limited else quota
        return {
            "kind": "drive#about",
            "user": user,
            "storageQuota": {name: str(octets) for name, octets in figures.items()},
        }
