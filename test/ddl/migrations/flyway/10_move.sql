BEGIN;
CREATE SCHEMA billing_core;
ALTER TABLE billing.account SET SCHEMA billing_core;
ALTER TABLE billing_core.account RENAME TO customer;
DROP TABLE billing.audit_old;
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (10, '10', 'move', 'SQL', 'V10__move.sql', 79190, 'postgres', 12, true);
COMMIT;
