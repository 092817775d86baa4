"""Models that explain what was taken by more than taste, and recommend by a part of the explanation."""
