"""The FastAPI reference: what a careful Python team would run. SQLAlchemy 2 (async core) over asyncpg, uvloop,
httptools, one worker for each core, the same statements as the components, JSON made by PostgreSQL and passed on.

DATABASE_URL (postgresql+asyncpg://…) and TOKEN_KEYS (kid=base64url) come from the environment."""

import base64
import os
import pathlib
import time
import uuid
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import create_async_engine

ENGINE = create_async_engine(os.environ["DATABASE_URL"], pool_size=8, max_overflow=0, pool_timeout=30)
SQL = pathlib.Path(__file__).resolve().parents[3] / "components" / "tasks" / "sql"
GET, LIST, CREATE, COMPLETE = ((SQL / f"{name}.sql").read_text() for name in ("get", "list", "create", "complete"))

# Python takes longer to write JSON than PostgreSQL does, so its list comes as text, like its single tasks.
JSON_LIST = (
    "select row_to_json(v)::text as body, t.created_at at time zone 'utc' as created_at, t.id from task t "
    + GET[GET.index("cross join lateral") : GET.index("where t.user_id")]
    + LIST[LIST.index("where t.user_id") :]
)


def _secret(entry: str) -> tuple[str, bytes]:
    kid, text = entry.split("=", 1)
    return kid, base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


KEYS = dict(map(_secret, os.environ["TOKEN_KEYS"].split(",")))
LAST = (datetime(9998, 12, 31), uuid.UUID(int=2**128 - 1))


@asynccontextmanager
async def lifespan(_: FastAPI):
    yield
    await ENGINE.dispose()


app = FastAPI(lifespan=lifespan, openapi_url=None)


class User:
    def __init__(self, claims: dict):
        self.id = uuid.UUID(claims["sub"])
        self.zone = claims["zoneinfo"]


def user(request: Request) -> User:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise ValueError(scheme)
        key = KEYS[jwt.get_unverified_header(token)["kid"]]
        return User(jwt.decode(token, key, algorithms=["HS256"], audience="spindle-api", issuer="spindle"))
    except (jwt.PyJWTError, KeyError, ValueError) as error:
        raise HTTPException(401, "sign in") from error


class New(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID | None = None
    title: str = Field(min_length=1, max_length=500)
    description: str | None = Field(None, max_length=20000)
    priority: Literal["P1", "P2", "P3", "P4"] | None = None
    tags: list[str] = Field([], max_length=50)
    due_date: datetime | date | None = None
    time_zone: str | None = None
    reminder_minutes: list[int] = Field([], max_length=20)


def uuid7() -> uuid.UUID:
    value = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 7 << 76 | 2 << 62)


def now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)


def utc(new: New, zone: str) -> tuple[date | None, datetime | None]:
    due = new.due_date
    if due is None:
        return None, None
    if not isinstance(due, datetime):
        at = datetime(due.year, due.month, due.day, 9, tzinfo=ZoneInfo(zone))
        return due, at.astimezone(timezone.utc).replace(tzinfo=None)
    at = due if due.tzinfo else due.replace(tzinfo=ZoneInfo(zone))
    return None, at.astimezone(timezone.utc).replace(tzinfo=None)


def json(body: str, status: int = 200, headers: dict | None = None) -> Response:
    return Response(body, status_code=status, media_type="application/json", headers=headers)


@app.get("/healthz")
async def health() -> Response:
    return Response("ok\n", media_type="text/plain")


@app.get("/api/v1/tasks/{id}")
async def read(id: uuid.UUID, who: User = Depends(user)) -> Response:
    async with ENGINE.connect() as connection:
        row = (await connection.exec_driver_sql(GET, (who.id, id))).first()
    if row is None:
        raise HTTPException(404, "no such task")
    return json(row[0])


@app.get("/api/v1/tasks")
async def list_(limit: int = 50, who: User = Depends(user)) -> Response:
    limit = max(1, min(limit, 100))
    async with ENGINE.connect() as connection:
        rows = (await connection.exec_driver_sql(JSON_LIST, (who.id, *LAST, limit + 1))).all()
    cursor = "null"
    if len(rows) > limit:
        rows.pop()
        _, at, last = rows[-1]
        micros = (at - datetime(1970, 1, 1)) // timedelta(microseconds=1)
        key = base64.urlsafe_b64encode(micros.to_bytes(8, "big", signed=True) + last.bytes)
        cursor = '"' + key.rstrip(b"=").decode() + '"'
    return json('{"items":[' + ",".join(row[0] for row in rows) + '],"next":' + cursor + "}")


@app.post("/api/v1/tasks")
async def create(new: New, who: User = Depends(user)) -> Response:
    id = new.id or uuid7()
    zone = new.time_zone or who.zone
    due_on, due_at = utc(new, zone)
    priority = int(new.priority[1]) if new.priority else None
    values = (who.id, id, new.title, new.description, priority, new.tags, due_on, due_at, new.time_zone)
    values += (new.reminder_minutes, now(), uuid7())
    async with ENGINE.begin() as connection:
        row = (await connection.exec_driver_sql(CREATE, values)).first()
    if row is None:
        raise HTTPException(409, "this id is taken")
    return json(row[0], 201 if row[1] else 200, {"location": f"/api/v1/tasks/{id}"})


@app.post("/api/v1/tasks/{id}/complete")
async def complete(id: uuid.UUID, who: User = Depends(user)) -> Response:
    async with ENGINE.begin() as connection:
        row = (await connection.exec_driver_sql(COMPLETE, (who.id, id, now(), uuid7()))).first()
    if row is None:
        raise HTTPException(404, "no such task")
    return json(row[0])
