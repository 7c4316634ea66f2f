"""How the Data Docs show what audits found."""
