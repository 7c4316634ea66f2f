"""Projects: folders of contracts and settings that Headwater is used with."""
