START TRANSACTION;
ALTER TYPE "public"."task_state_enum" ADD VALUE 'new';
ALTER TYPE "public"."task_state_enum" ADD VALUE 'waiting';
INSERT INTO "migrations"("timestamp", "name") VALUES (1700000003000, 'more_states1700000003000');
COMMIT;
