-- name: read_as
-- For this transaction alone: a setting of the session would serve the next user of the connection.
SELECT set_config('harken.visibility', %(visibility)s, true), set_config('harken.classes', %(classes)s, true),
  set_config('harken.risk', %(risk)s, true), set_config('harken.jurisdictions', %(jurisdictions)s, true);

-- name: standing
-- What a search has to know before it begins; the sums are of the reader's own scopes.
SELECT s.version, i.id, i.model, i.dimension, i.graph, z.passages, z.words,
  ARRAY(SELECT DISTINCT unnest(languages) FROM scope_size ORDER BY 1) AS languages,
  ARRAY(SELECT scope FROM scope_size WHERE passages > 0 ORDER BY 1) AS scopes
FROM knowledge_state s
LEFT JOIN vector_index i ON i.state = 'serving'
CROSS JOIN (SELECT coalesce(sum(passages), 0)::bigint AS passages, coalesce(sum(words), 0)::bigint AS words FROM scope_size) z;

-- name: wide_search
-- A graph under a narrow filter returns too little unless it goes on until it has enough.
SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', %(ef)s, true),
  set_config('hnsw.max_scan_tuples', %(tuples)s, true);

-- name: nearest
-- By the graph where there is one; the expression is the index's own.
SELECT passage FROM passage_vector WHERE index_id = {index}
ORDER BY (embedding::halfvec({dimension})) <#> %(vector)s::halfvec({dimension}) LIMIT %(limit)s;

-- name: nearest_exactly
-- Every readable vector is looked at: adding nothing to the distance keeps the planner from the graph. The policy is what decides;
-- the scopes are named once more because the planner cannot know what a policy will say, and would read the whole table.
SELECT passage FROM passage_vector WHERE index_id = {index} AND scope = ANY(%(scopes)s)
ORDER BY (embedding <#> %(vector)s::halfvec({dimension})) + 0.0 LIMIT %(limit)s;

-- name: frequencies
-- How many readable passages have each term; the entries themselves stay where they are.
SELECT term, sum(passages)::int AS passages FROM posting WHERE term = ANY(%(terms)s) GROUP BY term;

-- name: postings
-- Of the scopes that the reader may see.
SELECT term, entries FROM posting WHERE term = ANY(%(terms)s) ORDER BY term, scope, segment;

-- name: candidates
-- What may answer at this moment, with its vector.
SELECT p.no, p.ordinal, p.heading, p.text, p.starts, p.ends, d.document_id, d.version, d.title, d.source, d.owner, d.language,
  d.effective_from, d.valid_from, s.visibility, s.jurisdiction, s.class, s.risk, halfvec_send(v.embedding) AS embedding
FROM passage p
JOIN document d ON d.no = p.document
JOIN knowledge_scope s ON s.id = p.scope
LEFT JOIN passage_vector v ON v.index_id = {index} AND v.passage = p.no
WHERE p.no = ANY(%(passages)s) AND d.valid_to IS NULL
  AND (d.effective_from IS NULL OR d.effective_from <= %(now)s) AND (d.effective_to IS NULL OR d.effective_to > %(now)s);

-- name: around
-- A passage of any version and those beside it: what was read once can be read again.
SELECT p.no, p.ordinal, p.heading, p.text, p.starts, p.ends, d.document_id, d.version, d.title, d.source, d.owner, d.language,
  d.effective_from, d.valid_from, s.visibility, s.jurisdiction, s.class, s.risk
FROM passage p
JOIN document d ON d.no = p.document
JOIN knowledge_scope s ON s.id = p.scope
WHERE d.document_id = %(document_id)s AND d.version = %(version)s
  AND p.ordinal BETWEEN %(first)s AND %(last)s
ORDER BY p.ordinal;

-- name: shown
-- The version that serves now, or an older one by its number.
SELECT d.document_id, d.version, d.title, d.source, d.owner, d.language, d.text, d.redacted, d.effective_from, d.effective_to,
  d.valid_from, d.valid_to, s.visibility, s.jurisdiction, s.class, s.risk,
  (SELECT count(*)::int FROM passage p WHERE p.document = d.no) AS passages
FROM document d JOIN knowledge_scope s ON s.id = d.scope
WHERE d.document_id = %(document_id)s
  AND CASE WHEN %(version)s::int IS NULL THEN d.valid_to IS NULL ELSE d.version = %(version)s::int END;

-- name: everything
-- All current passages that the reader may see, for measuring.
SELECT p.no, d.document_id, d.title, p.heading, p.text FROM passage p JOIN document d ON d.no = p.document
WHERE d.valid_to IS NULL ORDER BY p.no;
