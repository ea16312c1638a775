"""Everything that MODEL_CARD.md says of the model that ships, measured: see __main__."""
