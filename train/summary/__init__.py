"""report.html: one file on what a run gave, which opens offline.

numbers    counts over all of val: scores, threshold sweep, calibration, each picture's error
pictures   rows of image, true mask, predicted mask and error, as data URIs
plots      curves, sweep, calibration and water fractions, as inline SVG
page       puts them into report.html.jinja
"""
