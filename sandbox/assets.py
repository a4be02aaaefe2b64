"""Serves the folder `assets/`, whose images the conversation shows: a sandbox fetches nothing from elsewhere."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FOLDER = Path(__file__).resolve().parent.parent / "assets"
PATH = "/_sandbox/assets"
SETTING = "assetsUrl"


async def _serve(request: Request) -> Response:
    found = {path.name: path for path in FOLDER.glob("*.png")}.get(request.path_params["name"])
    return FileResponse(found, media_type="image/png") if found else Response(status_code=404)


ROUTE = Route(f"{PATH}/{{name}}", _serve)
"""Serves them, for the stand-in and for the chat page alike."""
