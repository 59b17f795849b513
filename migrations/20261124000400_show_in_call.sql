-- Shows a further column of call_event in the view call, as its last one. A fork that stores another field of the payload
-- adds the column in a migration of its own and calls this there, instead of writing the whole view again:
--
--     alter table call_event add column language text;
--     select show_in_call('language', 'The language in which they spoke.');
create function show_in_call(name text, meaning text) returns void language plpgsql as $$
declare
    -- As Postgres writes it, which differs between its versions but for this.
    table_of_view constant text := 'FROM call_event newest';
    definition constant text := pg_get_viewdef('call'::regclass);
begin
    if position(table_of_view in definition) = 0 then
        raise exception 'the view call does not read from call_event as newest: %', definition;
    end if;
    execute 'create or replace view call as '
        || replace(definition, table_of_view, format(', newest.%I %s', name, table_of_view));
    execute format('comment on column call.%I is %L', name, meaning);
end
$$;
