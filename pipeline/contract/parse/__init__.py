"""From the parts of a document to the parts of the model."""
