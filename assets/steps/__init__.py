"""What runs do. Imported by runs alone: loading definitions must not cost the engine's seconds."""
