BEGIN;
CREATE TABLE "labels" ("id" uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY, "name" character varying NOT NULL, "settings" jsonb DEFAULT '{}' NOT NULL);
CREATE UNIQUE INDEX "index_labels_on_name" ON "labels" ("name");
CREATE TABLE "articles_labels" ("article_id" bigint NOT NULL, "label_id" uuid NOT NULL, CONSTRAINT "fk_rails_31b181437b" FOREIGN KEY ("article_id") REFERENCES "articles" ("id") , CONSTRAINT "fk_rails_7a79ae5fff" FOREIGN KEY ("label_id") REFERENCES "labels" ("id") );
CREATE INDEX "index_articles_labels_on_article_id" ON "articles_labels" ("article_id");
CREATE INDEX "index_articles_labels_on_label_id" ON "articles_labels" ("label_id");
CREATE UNIQUE INDEX "index_articles_labels_on_article_id_and_label_id" ON "articles_labels" ("article_id", "label_id");
INSERT INTO "schema_migrations" ("version") VALUES ('20240109000000');
COMMIT;
