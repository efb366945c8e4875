"""The HTTP application: routes behind the guard, one shape for every error, a line in the log for each."""

import logging
import time
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clawswarm.daemon import routes_ops, routes_swarm
from clawswarm.daemon.bodies import FORMS
from clawswarm.daemon.errors import as_response, details, internal_error
from clawswarm.daemon.guard import Guard
from clawswarm.daemon.serving import Serving
from clawswarm.daemon.stream import STOPPING
from clawswarm.errors import SwarmError
from clawswarm.version import __version__
from clawswarm_mcp.mounted import PATH as MCP_PATH

logger = logging.getLogger(__name__)

ABOUT = """Prompts in parallel and web research on this machine. Every request but `GET /health` needs
`Authorization: Bearer <token>`; the token lies in `~/.config/clawdbot/swarm-token`."""


def create_app(serving: Serving, *, token: str, mcp: ASGIApp) -> ASGIApp:
    """The whole application.

    Args:
        mcp: takes the requests of MCP clients.
    """
    app = FastAPI(
        title="Swarm",
        version=__version__,
        description=ABOUT,
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.serving = serving
    app.include_router(routes_ops.router)
    app.include_router(routes_swarm.router)
    app.router.routes.append(Route(MCP_PATH, mcp, include_in_schema=False))
    app.add_exception_handler(SwarmError, _swarm_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)
    _describe_token(app)
    max_body = int(serving.settings.daemon.max_body_mb * 1_000_000)
    return _Logged(Guard(app, token=token, max_body=max_body), serving)


async def _swarm_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SwarmError)  # noqa: S101 - registered for it
    status, document, headers = as_response(error)
    return JSONResponse({"error": document}, status, headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    if request.method == "POST" and not _says_json(request):
        hint = "send the header Content-Type: application/json"
        return JSONResponse({"error": details("unsupported_media_type", "the body is not JSON", hint)}, 415)
    problems = error.errors()
    status = 400 if any(problem["type"] == "json_invalid" for problem in problems) else 422
    shown = "; ".join(_words(problem) for problem in problems[:3])
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    hint = "the fields are described in GET /openapi.json"
    return JSONResponse({"error": details("bad_input", shown + more, hint)}, status)


async def _unforeseen(_: Request, __: Exception) -> JSONResponse:
    status, document, headers = internal_error()
    return JSONResponse({"error": document}, status, headers)  # the error itself goes on, into the log


def _words(problem: Any) -> str:
    """Such as `prompts.2.max_tokens: Input should be greater than or equal to 1`; never the value itself."""
    if problem["type"] == "json_invalid":
        return f"the body is no JSON: {problem['ctx']['error']} at character {problem['loc'][-1]}"
    where = ".".join(str(part) for part in problem["loc"][1:] if part not in FORMS)
    return f"{where or 'the body'}: {problem['msg']}"


def _says_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    codes = {404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}
    document = details(
        codes.get(error.status_code, "bad_request"), str(error.detail), "see GET /openapi.json"
    )
    return JSONResponse({"error": document}, error.status_code, headers)


def _allowed(request: Request) -> str:
    """The methods of all routes of this path; the router itself names those of the first one only."""
    methods: set[str] = set()
    for router in (routes_ops.router, routes_swarm.router):
        for route in router.routes:
            if isinstance(route, APIRoute) and route.path_regex.match(request.url.path):
                methods |= route.methods or set()
    return ", ".join(sorted(methods))


def _describe_token(app: FastAPI) -> None:
    """Say in the OpenAPI document that requests carry the token."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        document.setdefault("components", {})["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"}
        }
        document["security"] = [{"token": []}]
        document["paths"]["/health"]["get"]["security"] = []
        return document

    app.openapi = openapi


class _Logged:
    """Counts and logs every answer, and turns what nobody foresaw into one in words."""

    def __init__(self, app: ASGIApp, serving: Serving) -> None:
        self._app = app
        self._serving = serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except anyio.get_cancelled_exc_class():
            # The server calls requests off when it stops, and would take it for a fault that they end so.
            if not status:
                with anyio.move_on_after(1, shield=True):
                    await JSONResponse({"error": STOPPING}, 503)(scope, receive, noted)
        except Exception:
            logger.exception("a request failed")
            if not status:
                code, document, headers = internal_error()
                await JSONResponse({"error": document}, code, headers)(scope, receive, noted)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "other"
        self._serving.observer.answered(route, status)
        quiet = route in ("/health", "/metrics") or (route == "other" and status < 400)
        level = logging.DEBUG if quiet else logging.INFO
        fields = {
            "method": scope["method"],
            "path": scope["path"],
            "status": status or None,  # null: the client left before there was one
            "ms": round(seconds * 1000, 1),
        }
        logger.log(level, "request", extra={"fields": fields})
