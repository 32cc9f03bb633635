CREATE SCHEMA "billing";
CREATE TABLE "billing"."flyway_schema_history" (
    "installed_rank" INT NOT NULL,
    "version" VARCHAR(50),
    "description" VARCHAR(200) NOT NULL,
    "type" VARCHAR(20) NOT NULL,
    "script" VARCHAR(1000) NOT NULL,
    "checksum" INTEGER,
    "installed_by" VARCHAR(100) NOT NULL,
    "installed_on" TIMESTAMP NOT NULL DEFAULT now(),
    "execution_time" INTEGER NOT NULL,
    "success" BOOLEAN NOT NULL
);
ALTER TABLE "billing"."flyway_schema_history" ADD CONSTRAINT "flyway_schema_history_pk" PRIMARY KEY ("installed_rank");
CREATE INDEX "flyway_schema_history_s_idx" ON "billing"."flyway_schema_history" ("success");
BEGIN;
CREATE DOMAIN billing.iban AS varchar(34) CHECK (value ~ '^[A-Z]{2}');
CREATE TYPE billing.kind AS ENUM ('private', 'business');
CREATE TABLE billing.account (
  account_no text PRIMARY KEY,
  owner text NOT NULL,
  kind billing.kind NOT NULL DEFAULT 'private',
  iban billing.iban,
  balance numeric NOT NULL DEFAULT 0,
  opened bigint NOT NULL,
  tags text
);
CREATE TABLE billing.booking (
  account_no text NOT NULL REFERENCES billing.account,
  booked_on date NOT NULL,
  amount numeric(12,2) NOT NULL,
  note text
) PARTITION BY RANGE (booked_on);
CREATE TABLE billing.booking_2024 PARTITION OF billing.booking FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE billing.audit (at timestamptz NOT NULL DEFAULT now(), what text);
ALTER TABLE billing.audit REPLICA IDENTITY FULL;
ALTER TABLE billing.booking REPLICA IDENTITY FULL;
ALTER TABLE billing.booking_2024 REPLICA IDENTITY FULL;
INSERT INTO "billing"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (1, '1', 'accounts', 'SQL', 'V1__accounts.sql', 7919, 'postgres', 12, true);
COMMIT;
