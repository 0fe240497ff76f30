-- What a knowledge base of this revision holds: at least one row in every table.
INSERT INTO version (id, parent_id, fingerprint, provenance, note, created_at)
VALUES (1, NULL, 'f0', NULL, 'first', '2026-11-23 13:44:15.450826');
INSERT INTO version (id, parent_id, fingerprint, provenance, note, created_at)
VALUES (2, 1, 'f1', '{"prompts": [["critic", "f1"], ["summarizer", "f2"]], "model": "scripted:test", "parameters": "{}", "taxonomy_version": "starter-1", "encoder": "minilm", "code_version": "0.1.0", "max_revisions": 2}', '', '2026-11-23 13:44:15.450826');
INSERT INTO current_version (id, version_id)
VALUES (1, 2);
INSERT INTO run (id, version_id, catalog, settings, state, started_at, ended_at, reason, owner, enriched, failed, rejected, skipped)
VALUES (1, 2, 'drills.csv', '{"model": "scripted:test"}', 'finished', '2026-11-23 13:44:15.450826', '2026-11-23 13:45:15.450826', '', 'host/boot/1:77:5:abc', 1, 1, 1, 0);
INSERT INTO item (id, title, description, fields, content_hash, catalog, line, created_at, updated_at)
VALUES ('d1', 'Acme cordless drill 18 V red', 'With two batteries.', '[["colour", "red"]]', 'a9a1d4df6ebc72edb2e501cbf684b90e3557f55093bfec8e6961d5e05d407e30', 'drills.csv', 2, '2026-11-23 13:44:15.450826', '2026-11-23 13:44:15.457471');
INSERT INTO item (id, title, description, fields, content_hash, catalog, line, created_at, updated_at)
VALUES ('d2', 'Hand drill', 'With two batteries.', '[["colour", "red"]]', 'd459c7e41c43d82472fb4de97699213dfaff59417f5ba651c2193c787672222d', NULL, NULL, '2026-11-23 13:44:15.462439', '2026-11-23 13:44:15.462439');
INSERT INTO category_template (category_id, taxonomy_version, completed_by, content)
VALUES ('drills', 'starter-1', '', '{"category_id": "drills", "path": ["Tools", "Power Tools", "Drills"], "attributes": [{"key": "brand", "name": "Brand", "type": "text", "unit": null, "values": [], "aliases": [], "description": "", "many": false}], "taxonomy_version": "starter-1", "completed_by": null}');
INSERT INTO enrichment (version_id, item_id, content_hash, category_id, category_path, choice, ungrounded, summary, rounds, prompts, model, parameters, taxonomy_version, encoder, code_version, max_revisions, aids, prompt_tokens, completion_tokens, usage_estimated, model_calls, shortened, seconds, created_at)
VALUES (1, 'd1', 'a9a1d4df6ebc72edb2e501cbf684b90e3557f55093bfec8e6961d5e05d407e30', 'drills', '["Tools", "Power Tools", "Drills"]', '{"category_id": "drills", "path": ["Tools", "Power Tools", "Drills"], "score": 0.8, "chosen_by": "embedding", "candidates": [{"category_id": "drills", "path": ["Tools", "Power Tools", "Drills"], "score": 0.8}]}', '[{"name": "weight", "value": "1.2 kg", "quote": "weighs 1.2 kg", "round": 1}]', 'A cordless drill.', 1, '[["critic", "f1"], ["summarizer", "f2"]]', 'scripted:test', '{"temperature":0}', 'starter-1', 'minilm', '0.1.0', 2, '[["calibration", "f9"]]', 100, 20, 1, 4, 1, 0.25, '2026-11-23 13:44:15.459632');
INSERT INTO claim (version_id, item_id, claim_id, position, name, value, normalized, unit, source, confidence, producer, raw_confidence, seconded_by, disputed, snapped)
VALUES (1, 'd1', 'c1', 0, 'brand', 'Acme', 'acme', NULL, 'text', 0.9, 'rule', 0.8, '["student"]', 1, 0.9);
INSERT INTO evidence (version_id, item_id, claim_id, field, start, "end", quote)
VALUES (1, 'd1', 'c1', 'title', 0, 4, 'Acme');
INSERT INTO verdict (version_id, item_id, claim_id, decision, reason, checked_by, note, round)
VALUES (1, 'd1', 'c1', 'accept', 'supported', 'code', '', 0);
INSERT INTO model_call (id, item_id, agent, prompt, prompt_fingerprint, round, model, parameters, schema_name, messages, raw_answer, finish_reason, prompt_tokens, completion_tokens, usage_estimated, seconds, created_at, "key", outcome, run_id, cost, shortened)
VALUES (1, 'd1', 'category_expert', 'category_expert', 'f1', 1, 'scripted:test', '{"temperature":0}', 'Choice', '[["system", "You sort."], ["user", "Which category?"]]', '{"category": "drills"}', 'stop', 7, 3, 1, 0.5, '2026-11-23 13:44:15.464616', 'a1b2', 'answered', 1, 1250000000, 0);
INSERT INTO work (item_id, version_id, content_hash, state, owner, leased_at, lease_until, fence, attempts, reason, detail, at)
VALUES ('d1', 1, 'a9a1d4df6ebc72edb2e501cbf684b90e3557f55093bfec8e6961d5e05d407e30', 'enriched', '', 0, 0, 1, 1, '', '', '2026-11-23 13:44:15.463299');
INSERT INTO work (item_id, version_id, content_hash, state, owner, leased_at, lease_until, fence, attempts, reason, detail, at)
VALUES ('d2', 2, 'd459c7e41c43d82472fb4de97699213dfaff59417f5ba651c2193c787672222d', 'failed', '', 0, 0, 2, 2, 'timeout', '60 s', '2026-11-23 13:44:15.463299');
INSERT INTO rejected_row (id, catalog, line, reason, item_id)
VALUES (1, 'drills.csv', 4, 'repeats line 2', 'd1');
INSERT INTO batch_submission (token, server, model, run_id, batch_id, owner, lease_until, created_at)
VALUES ('t1', 'http://127.0.0.1:1/v1', 'small', 1, 'batch_1', 'host:1:2:3', 0, '2026-11-25 13:44:15.450826');
INSERT INTO batch_question (token, question, "key", since, result)
VALUES ('t1', 'q1', 'a1b2', 0, '{"custom_id": "q1.t1"}');
INSERT INTO batch_question (token, question, "key", since, result)
VALUES ('t1', 'q2', 'c3d4', 1, NULL);
INSERT INTO review (id, item_id, content_hash, category_id, attribute, many, decision, value, normalized, unit, right_value, right_normalized, right_unit, field, start, "end", quote, reviewer, note, at, claims, withdraws)
VALUES (1, 'd1', 'a9a1d4df6ebc72edb2e501cbf684b90e3557f55093bfec8e6961d5e05d407e30', 'drills', 'color', 0, 'correct', 'blue', 'blue', NULL, 'red', 'red', NULL, 'title', 25, 28, 'red', 'Ann', 'it is red', '2026-11-26 01:44:15.450826', '[{"attribute": "color", "value": "blue", "normalized": "blue", "right": false, "producer": "model", "confidence": 0.5, "source": "world_knowledge", "decision": "accept", "reason": "supported", "checked_by": "model"}]', NULL);
INSERT INTO demand (version_id, item_id, demand_id, position, relation, text, positive, plausibility, typicality, rests_on, producer, decision, reason, checked_by, note, round)
VALUES (1, 'd1', 'd1', 0, 'used_for', 'hanging shelves', 1, 0.9, 0.5, '[]', 'template', 'accept', 'supported', 'code', '', 0);
INSERT INTO demand (version_id, item_id, demand_id, position, relation, text, positive, plausibility, typicality, rests_on, producer, decision, reason, checked_by, note, round)
VALUES (1, 'd1', 'd2', 1, 'used_in', 'rooms without a socket', 1, 0.8, 0.4, '["c1"]', 'model', 'reject', 'implausible', 'model', 'far-fetched', 0);
INSERT INTO text_vector (encoder, hash, vector)
VALUES ('minilm', X'9c0e1f5a7b3d2c4e6f8091a2b3c4d5e6', X'0000803f00000000');
INSERT INTO vector_set (name, encoder, parts, version_id, as_of, built_at)
VALUES ('items', 'minilm', '["title", "attributes"]', 1, NULL, '2026-11-26 04:40:00.000000');
INSERT INTO vector_set_item (set_name, position, item_id, hash)
VALUES ('items', 0, 'd1', X'9c0e1f5a7b3d2c4e6f8091a2b3c4d5e6');
