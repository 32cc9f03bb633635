BEGIN;
CREATE TABLE billing.audit_new AS SELECT row_number() OVER (ORDER BY at, what) AS id, at, upper(what) AS what FROM billing.audit;
ALTER TABLE billing.audit_new ADD PRIMARY KEY (id);
ALTER TABLE billing.audit RENAME TO audit_old;
ALTER TABLE billing.audit_new RENAME TO audit;
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (7, '7', 'rebuild_audit', 'SQL', 'V7__rebuild_audit.sql', 55433, 'postgres', 12, true);
COMMIT;
