"""How the times of logs are written, and what they are in milliseconds since 1970 (UTC)."""

import polars as pl

# Where a number stops being seconds, milliseconds, microseconds: each bound is past the year 5000 or before 1975.
_SECONDS, _MILLISECONDS, _MICROSECONDS = 10**11, 10**14, 10**17
_FIRST_DAY, _LAST_DAY = 19000101, 21001231  # as seconds these would be in the autumn of 1970

# A blank stands between day and time by then, and no "Z" or "UTC" at the end.
_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
)
_DAY_FORMATS = ("%Y-%m-%d", "%Y/%m/%d")


def milliseconds(cells: pl.Series, time_format: str | None = None) -> pl.Series:
    """Return the times as Int64, null where a cell is no time.

    Read are times and dates of Parquet; numbers as seconds, milliseconds, microseconds or nanoseconds since 1970 by
    their size, or as a day where they are written like 20141206; texts in ISO form (also with "/" for "-"), or in
    `time_format` (as of strftime) alone where there is one. What has no time zone is taken for UTC.
    """
    if isinstance(cells.dtype, pl.Datetime) or cells.dtype == pl.Date:
        return cells.dt.epoch("ms")
    if cells.dtype.is_integer():
        return _of_numbers(cells.cast(pl.Int64, strict=False))
    if cells.dtype.is_float() or cells.dtype.is_decimal():
        return _of_floats(cells.cast(pl.Float64))
    texts = cells.cast(pl.String).str.strip_chars()
    if time_format is not None:
        return _in_format(texts, time_format)
    return _of_texts(texts)


def whole_numbers(cells: pl.Series) -> pl.Series:
    """Return an order as Int64, null where a cell is no whole number."""
    if cells.dtype == pl.String:
        cells = cells.str.strip_chars()
    exact = cells.cast(pl.Int64, strict=False) if not cells.dtype.is_float() else None
    if exact is not None and exact.null_count() == cells.null_count():
        return exact
    floats = cells.cast(pl.Float64, strict=False)
    rounded = pl.select(pl.when(floats == floats.floor()).then(floats)).to_series().cast(pl.Int64, strict=False)
    return rounded if exact is None else exact.fill_null(rounded)


def _of_texts(texts: pl.Series) -> pl.Series:
    found = _of_numbers(texts.cast(pl.Int64, strict=False))
    if found.null_count() == texts.null_count():
        return found
    found = found.fill_null(_of_floats(texts.cast(pl.Float64, strict=False)))
    tidy = texts.str.strip_suffix("Z").str.strip_suffix("UTC").str.strip_chars_end().str.replace("T", " ", literal=True)
    for written in _FORMATS:
        if found.null_count() == texts.null_count():
            return found
        found = found.fill_null(_in_format(tidy, written))
    for written in _DAY_FORMATS:
        found = found.fill_null(tidy.str.to_date(written, strict=False).dt.epoch("ms"))
    return found.fill_null(_in_format(tidy + ":00", "%Y-%m-%d %H:%M"))  # "2014-12-06 02": the hour alone


def _in_format(texts: pl.Series, written: str) -> pl.Series:
    return texts.str.to_datetime(written, time_unit="ms", strict=False).dt.epoch("ms")


def _of_numbers(numbers: pl.Series) -> pl.Series:
    size = numbers.abs()
    is_day = numbers.is_between(_FIRST_DAY, _LAST_DAY)
    days = numbers.cast(pl.String).str.to_date("%Y%m%d", strict=False).dt.epoch("ms") if is_day.any() else None
    return pl.select(
        pl.when(is_day & days.is_not_null() if days is not None else pl.lit(value=False))
        .then(days)
        .when(size < _SECONDS)
        .then(numbers * 1000)
        .when(size < _MILLISECONDS)
        .then(numbers)
        .when(size < _MICROSECONDS)
        .then(numbers // 1000)
        .otherwise(numbers // 1_000_000)
    ).to_series()


def _of_floats(numbers: pl.Series) -> pl.Series:
    size = numbers.abs()
    scaled = pl.select(
        pl.when(size < _SECONDS)
        .then(numbers * 1000)
        .when(size < _MILLISECONDS)
        .then(numbers)
        .when(size < _MICROSECONDS)
        .then(numbers / 1000)
        .otherwise(numbers / 1_000_000)
    ).to_series()
    return scaled.round().cast(pl.Int64, strict=False)
