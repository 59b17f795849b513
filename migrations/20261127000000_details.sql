-- What a call says and nobody searches for stands in one column, so that a further field of the payload needs no other.
-- Catalogue changes only: no row is touched, no index is built. Rows of before keep their columns, which the view
-- stored_event reads. The version before still writes those, and finds no null in them that it doesn't know.

-- Shorter than the writer waits for a lock: no delivery is refused while this one waits behind a long query.
set local lock_timeout = '400ms';

alter table call_event
    -- The platform that sent it.
    add column platform text not null default 'after_call',
    -- The call's fields that have no column of their own, without nulls. In rows of the version before it is null, and in
    -- its own rows these are: parent_call_id, reason, started_at, connected_at, ended_at, duration_seconds,
    -- talk_time_seconds, wrap_up_seconds, notes, problems. jsonb costs an insert some 4 µs more than json, and refuses a NUL
    -- then and there, where json would fail whoever reads the view.
    add column details jsonb,
    alter column problems set default '{}';

-- By the catalogue, because a fork may have added columns to call_event, and columns to the view call.
do $$
declare
    -- As Postgres writes it, which differs between its versions but for this.
    table_of_view constant text := 'FROM call_event newest';
    definition constant text := pg_get_viewdef('call'::regclass);
    moved constant text[] := '{parent_call_id, reason, started_at, connected_at, ended_at, duration_seconds,
        talk_time_seconds, wrap_up_seconds, notes}';
    shown text;
    described record;
begin
    if position(table_of_view in definition) = 0 then
        raise exception 'the view call does not read from call_event as newest: %', definition;
    end if;

    select string_agg(
        case
            when attname = any (moved) then
                format('coalesce((details ->> %1$L)::%2$s, %1$I) as %1$I', attname, format_type(atttypid, atttypmod))
            when attname = 'problems' then
                'case when details is null then problems
                 else array(select jsonb_array_elements_text(details -> ''problems'')) end as problems'
            else quote_ident(attname)
        end,
        ', ' order by attnum
    ) into shown
    from pg_attribute
    where attrelid = 'call_event'::regclass and attnum > 0 and not attisdropped and attname <> 'details';
    execute format('create view stored_event as select %s, details -> ''extra'' as extra from call_event', shown);

    execute 'create or replace view call as '
        || replace(definition, table_of_view, ', newest.platform, newest.extra FROM stored_event newest');

    for described in
        select event.attname as name, col_description(call.attrelid, call.attnum) as meaning
        from pg_attribute as event
        left join pg_attribute as call on call.attrelid = 'call'::regclass and call.attname = event.attname
        where event.attrelid = 'stored_event'::regclass
    loop
        execute format('comment on column stored_event.%I is %L', described.name,
            coalesce(described.meaning, 'A column of call_event.'));
    end loop;
end
$$;

comment on view stored_event is 'One row for each event that is stored, with the fields of the payload.';
comment on column stored_event.event_id is 'The key of call_event and of call_job.';
comment on column stored_event.received_at is 'When the receiver had read the whole request. An index makes this the column to sort by.';
comment on column stored_event.body is 'The body as it came. Personal data.';
comment on column stored_event.headers is 'The request''s headers as [[name, value], ..] in their order, without the credentials.';
comment on column stored_event.platform is 'The platform that sent it: after_call.';
comment on column stored_event.extra is 'What else the platform said, as an object; null in events that an earlier version stored. Personal data.';
comment on column call.platform is 'The platform that sent it: after_call.';
comment on column call.extra is 'What else the platform said, as an object; null in events that an earlier version stored. Personal data.';

-- Shows a further field of a call in the views stored_event and call, as their last column: a column of call_event where
-- there is one of this name, else the text of what the call or the platform says under it.
--
--     select show_in_call('language', 'The language in which they spoke.');
create or replace function show_in_call(name text, meaning text) returns void language plpgsql as $$
declare
    views constant text[] := '{stored_event, call}';
    tables constant text[] := array['FROM call_event', 'FROM stored_event newest'];
    field text;
    definition text;
begin
    if exists (select from pg_attribute where attrelid = 'call_event'::regclass and attnum > 0 and attname = name) then
        field := format('%I', name);
    else
        field := format('coalesce(details ->> %1$L, details -> ''extra'' ->> %1$L) as %1$I', name);
    end if;
    for i in 1 .. 2 loop
        definition := pg_get_viewdef(views[i]::regclass);
        -- As Postgres writes it, which differs between its versions but for this.
        if position(tables[i] in definition) = 0 then
            raise exception 'the view % does not read %: %', views[i], tables[i], definition;
        end if;
        if not exists (select from pg_attribute where attrelid = views[i]::regclass and attname = name) then
            execute format('create or replace view %I as ', views[i])
                || replace(definition, tables[i], format(', %s %s', field, tables[i]));
        end if;
        execute format('comment on column %I.%I is %L', views[i], name, meaning);
        field := format('newest.%I', name);
    end loop;
end
$$;
