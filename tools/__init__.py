"""Programs for the people who work here: graph recorder, docs generators, drawing, audits."""
