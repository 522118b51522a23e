-- Why: what belongs to a repository, what waits for a decision about one thing, and what happened to one object are found
-- without walking the whole table.
create index fleet_object_owner on fleet_object (account_id, owner) where owner is not null;
create index approval_request_target on approval_request (account_id, target_type, target_id) where state in ('open', 'approved');
create index event_subject on event (account_id, subject, position desc);
