-- Run once, when the volume is new (docker-compose.yml): the program's own role, which owns its database and nothing else.
\getenv password POSTGRES_PASSWORD
create role "aftercall" login password :'password';
create database "aftercall" owner "aftercall";
-- Who administers the server does it from within its container: docker-compose exec postgres psql -U postgres.
alter role postgres password null;
