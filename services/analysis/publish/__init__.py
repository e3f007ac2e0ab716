"""The figures as others get them: published editions, answers to gateways."""
