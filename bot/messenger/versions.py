"""Until when each version of the Graph API answers. No call names one: the setting `graphApiVersion` does."""

# Graph API, "Changelog", as of 2026-10-29: "Available Until". A version ends about two years after the next one came
# out. v26.0, of 2026-07-29, has no date yet; the next version was announced for 2026-11-04.
VERSION_ENDS = {
    "v20.0": "2026-09-24",
    "v21.0": "2027-01-21",
    "v22.0": "2027-05-20",
    "v23.0": "2027-10-08",
    "v24.0": "2028-02-18",
    "v25.0": "2028-07-29",
}
NEWEST_VERSION = "v26.0"
