"""fastapi-users as its guide has it, on SQLite, with sessions that can be revoked (DatabaseStrategy) and the others' cost of Argon2id."""

import asyncio
import os
import uuid

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase, SQLAlchemyBaseAccessTokenTableUUID
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    pass


engine = create_async_engine(f"sqlite+aiosqlite:///{os.environ['PEER_FOLDER']}/peer.db", connect_args={"timeout": 20})
sessions = async_sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine.sync_engine, "connect")
def with_log(connection, _):
    connection.execute("PRAGMA journal_mode=WAL")


async def session():
    async with sessions() as one:
        yield one


async def users(one: AsyncSession = Depends(session)):
    yield SQLAlchemyUserDatabase(one, User)


async def tokens(one: AsyncSession = Depends(session)):
    yield SQLAlchemyAccessTokenDatabase(one, AccessToken)


class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = verification_token_secret = "f3c1b0d2a4958677f3c1b0d2a4958677"


async def manager(database=Depends(users)):
    yield Manager(database, PasswordHelper(PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1),))))


def strategy(database=Depends(tokens)):
    return DatabaseStrategy(database, lifetime_seconds=86400)


backend = AuthenticationBackend(name="bearer", transport=BearerTransport("auth/login"), get_strategy=strategy)
these = FastAPIUsers[User, uuid.UUID](manager, [backend])
Read, Create, Update = (type(name, (base,), {}) for name, base in
                        [("Read", schemas.BaseUser[uuid.UUID]), ("Create", schemas.BaseUserCreate), ("Update", schemas.BaseUserUpdate)])


app = FastAPI()
app.include_router(these.get_auth_router(backend), prefix="/auth")
app.include_router(these.get_register_router(Read, Create), prefix="/auth")
app.include_router(these.get_users_router(Read, Update), prefix="/users")


async def make_tables():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


if __name__ == "__main__":
    asyncio.run(make_tables())
