"""Several modalities become one vector: `concat` puts them side by side, `align` into one space, `gan` invents what is
missing.
"""
