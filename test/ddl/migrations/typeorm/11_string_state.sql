START TRANSACTION;
DROP TABLE "membership";
DROP INDEX "public"."task_state_due";
ALTER TABLE "task" DROP COLUMN "state";
DROP TYPE "public"."task_state_enum";
ALTER TABLE "task" ADD "state" character varying(20) NOT NULL DEFAULT 'new';
INSERT INTO "migrations"("timestamp", "name") VALUES (1700000010000, 'string_state1700000010000');
COMMIT;
