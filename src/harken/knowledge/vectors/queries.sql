-- name: forget_vectors
-- A search must not pay for what it may not return.
DELETE FROM passage_vector WHERE passage IN (SELECT no FROM passage WHERE document = ANY(%(documents)b::bigint[]));

-- name: indexes
-- The one that serves, and the one that is being built, where there is one.
SELECT id, model, dimension, state, graph FROM vector_index WHERE state <> 'retired' ORDER BY state DESC;

-- name: open_index
-- Makes the table for its vectors, which only the owner may.
SELECT open_vector_index(%(model)s, %(dimension)s, %(at)s) AS id;

-- name: switch_index
-- From one moment to the next, for every search that begins after.
SELECT switch_vector_index(%(id)s);

-- name: drop_index
-- One that was being built for a model nobody asks for any more.
SELECT drop_vector_index(%(id)s);

-- name: draw_graph
-- Above some thousands of rows a graph is quicker than looking at each.
SELECT graph_vector_index(%(id)s);

-- name: without_vector
-- In order, so that a run that stopped goes on where it was.
SELECT p.no, d.title, p.heading, p.text FROM passage p JOIN document d ON d.no = p.document
WHERE d.valid_to IS NULL AND p.no > %(after)s
  AND NOT EXISTS (SELECT FROM passage_vector v WHERE v.index_id = %(index)s AND v.passage = p.no)
ORDER BY p.no LIMIT %(limit)s;

-- name: add_vectors
-- Who was retired while the model thought gets no vector. As text, because the driver knows no halfvec.
INSERT INTO passage_vector (index_id, passage, scope, embedding)
SELECT %(index)s, one.passage, p.scope, one.embedding::halfvec
FROM unnest(%(passages)b::int[], %(embeddings)b::text[]) AS one (passage, embedding)
JOIN passage p ON p.no = one.passage
JOIN document d ON d.no = p.document
WHERE d.valid_to IS NULL
ON CONFLICT DO NOTHING;

-- name: vectors
-- How many there are.
SELECT count(*)::int AS vectors FROM passage_vector WHERE index_id = %(index)s;
