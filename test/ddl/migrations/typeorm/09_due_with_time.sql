START TRANSACTION;
ALTER TABLE "person" ADD "token" uuid NOT NULL DEFAULT gen_random_uuid();
DROP INDEX "public"."task_state_due";
ALTER TABLE "task" DROP COLUMN "due";
ALTER TABLE "task" ADD "due" TIMESTAMP WITH TIME ZONE;
CREATE INDEX "task_state_due" ON "task"  ("state", "due");
INSERT INTO "migrations"("timestamp", "name") VALUES (1700000008000, 'due_with_time1700000008000');
COMMIT;
