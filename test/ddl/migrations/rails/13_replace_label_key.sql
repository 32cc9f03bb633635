BEGIN;
DROP INDEX "index_articles_labels_on_article_id_and_label_id";
ALTER TABLE articles_labels ADD PRIMARY KEY (article_id, label_id);
ALTER TABLE "labels" ADD "created_at" timestamp(6) DEFAULT now() NOT NULL;
ALTER TABLE "labels" ADD "updated_at" timestamp(6) DEFAULT now() NOT NULL;
INSERT INTO "schema_migrations" ("version") VALUES ('20240114000000');
COMMIT;
