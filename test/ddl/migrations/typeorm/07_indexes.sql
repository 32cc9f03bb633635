START TRANSACTION;
ALTER TABLE "team" ADD CONSTRAINT "UQ_b5aa1ec412d4465ec20d475c6ad" UNIQUE ("code");
CREATE INDEX "task_state_due" ON "task"  ("state", "due");
ALTER TABLE "task" ADD CONSTRAINT "points_positive" CHECK ("points" >= 0);
INSERT INTO "migrations"("timestamp", "name") VALUES (1700000006000, 'indexes1700000006000');
COMMIT;
