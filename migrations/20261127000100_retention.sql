-- A call's data is deleted after RETENTION_DAYS, or by `erase`. Its events' rows stay, because the platform may repeat them.
-- Catalogue changes only: no row is touched, no index is built. The version before writes the columns that it knows.

-- Shorter than the writer waits for a lock: no delivery is refused while this one waits behind a long query.
set local lock_timeout = '400ms';

alter table call_event
    add column pruned_at timestamptz,
    -- What stands in place of deleted data where null can't.
    alter column body set default '',
    alter column headers set default '[]',
    alter column custom_fields set default '{}';

select show_in_call('pruned_at', 'When its data was deleted, by RETENTION_DAYS or by erase; null before that.');

-- Of a call's events, those that still have their data come first. Where Postgres writes the view in another way than the
-- versions that we know, its order stays as it was.
do $$
declare
    definition text := pg_get_viewdef('call'::regclass);
    event text;
begin
    foreach event in array '{newer, newest}'::text[] loop
        definition := replace(definition, format('(%s.event = ''call.completed''::text)', event),
            format('(%1$s.event = ''call.completed''::text), (%1$s.pruned_at is null)', event));
    end loop;
    execute 'create or replace view call as ' || definition;
end
$$;
comment on view call is 'One row for each call, of its newest event: call.completed before others, then one that has its data, then by occurred_at, then by received_at.';
