BEGIN;
TRUNCATE billing.card;
ALTER TABLE billing.card ADD COLUMN valid_until date;
INSERT INTO billing.card (account_no, owner, kind, iban, opened, id, valid_until) VALUES ('C', 'D', 'personal', 'XX1', now(), 1, '2030-01-01');
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (11, '11', 'reload', 'SQL', 'V11__reload.sql', 87109, 'postgres', 12, true);
COMMIT;
