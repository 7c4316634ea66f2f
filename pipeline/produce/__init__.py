"""Writing to topics: topics made as contracts say, events encoded and sent."""
