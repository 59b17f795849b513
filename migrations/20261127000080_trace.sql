-- The trace that a delivery was part of stands in details as w3c_trace_id, and in the views as trace_id.
-- Catalogue changes only: no row is touched, no index is built. The version before stores none, and reads none.

-- Shorter than the writer waits for a lock: no delivery is refused while this one waits behind a long query.
set local lock_timeout = '400ms';

-- A payload's own field trace_id stands in extra, where show_in_call would look, too. So stored_event has the column first.
-- A fork that shows such a field already keeps it.
do $$
declare
    definition constant text := pg_get_viewdef('stored_event'::regclass);
begin
    if exists (select from pg_attribute where attrelid = 'stored_event'::regclass and attname = 'trace_id') then
        return;
    end if;
    execute 'create or replace view stored_event as '
        || replace(definition, 'FROM call_event', ', details ->> ''w3c_trace_id'' as trace_id FROM call_event');
    perform show_in_call('trace_id', 'The trace that its delivery was part of, by W3C Trace Context; null where there was none.');
end
$$;
