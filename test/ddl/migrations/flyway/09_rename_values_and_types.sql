BEGIN;
ALTER TYPE billing.kind RENAME VALUE 'private' TO 'personal';
ALTER TYPE billing.kind RENAME TO account_kind;
ALTER DOMAIN billing.iban RENAME TO account_iban;
ALTER TABLE billing.account ALTER COLUMN kind SET DEFAULT 'personal';
CREATE TABLE billing.card (LIKE billing.account INCLUDING DEFAULTS);
ALTER TABLE billing.card ADD PRIMARY KEY (id), ADD COLUMN number text COLLATE "C" DEFAULT md5(random()::text);
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (9, '9', 'rename_values_and_types', 'SQL', 'V9__rename_values_and_types.sql', 71271, 'postgres', 12, true);
COMMIT;
