"""What every request passes before anybody answers it, and every answer on its way out."""
