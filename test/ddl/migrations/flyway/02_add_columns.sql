BEGIN;
ALTER TABLE billing.account
  ADD COLUMN currency char(3) NOT NULL DEFAULT 'EUR',
  ADD COLUMN closed_at timestamptz,
  ADD COLUMN limits int4range NOT NULL DEFAULT '[0,1000)';
ALTER TYPE billing.kind ADD VALUE IF NOT EXISTS 'charity' BEFORE 'business';
COMMENT ON TABLE billing.account IS 'Whose money it is';
COMMENT ON COLUMN billing.account.opened IS 'Seconds since 1970';
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (2, '2', 'add_columns', 'SQL', 'V2__add_columns.sql', 15838, 'postgres', 12, true);
COMMIT;
