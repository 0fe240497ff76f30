"""Every row of a log becomes a behaviour or a reason, and no row changes another."""

import gzip
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.behaviors import delimited_log
from memory.behaviors.columns import UnreadableLog
from memory.behaviors.files import BehaviorFile, open_log, read_behaviors
from memory.behaviors.schema import COLUMNS, Clock, Kind
from memory.catalog_files.source import ReadLimits
from memory.errors import ReaseqError

HEADER = "user_id,item_id,timestamp,event,session\n"
NOON = 1_588_593_600  # 2020-05-04 12:00:00 UTC, in seconds
CLEAN = [f"u{number},i{number},{NOON + number},view,s" for number in range(20)]


def written(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def log_of(folder: Path, *rows: str, header: str = HEADER) -> BehaviorFile:
    return read_behaviors(written(folder / "log.csv", header + "\n".join(rows)))


def reasons(found: BehaviorFile) -> dict[int, str]:
    return {row.line: row.reason for row in found.rejected}


def times(folder: Path, *cells: str) -> list[int]:
    found = log_of(folder, *(f"u,i,{cell}" for cell in cells), header="user,item,time\n")
    assert reasons(found) == {}
    return found.frame["time"].to_list()


def test_a_row_of_a_csv_becomes_a_behaviour(tmp_path: Path) -> None:
    found = log_of(tmp_path, f"u1,007,{NOON},purchase,s1", f"u2,B-2,{NOON}.5,pv,")

    assert found.frame.schema == COLUMNS
    assert found.frame.rows() == [
        ("u1", "007", 1000 * NOON, "buy", "log", "s1"),
        ("u2", "B-2", 1000 * NOON + 500, "view", "log", None),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.csv.gz", "pattern[1]*?.csv"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_found_out(tmp_path: Path, delimiter: str, name: str, end: str) -> None:
    cells = [
        ["user", "item", "time", "note"],
        ["u1", "i1", str(NOON), f'"a{delimiter}""b"'],
        ["u2", "i2", str(NOON), ""],
    ]
    content = end.join(delimiter.join(row) for row in cells)

    found = read_behaviors(written(tmp_path / name, content))

    assert found.frame["item"].to_list() == ["i1", "i2"]
    assert found.rejected_rows == 0


def test_the_fields_of_a_recbole_file_lose_their_types(tmp_path: Path) -> None:
    content = f"user_id:token\titem_id:token\ttimestamp:float\nu1\ti1\t{NOON}.0\nu1\ti2\t1.5885936e9\n"

    found = read_behaviors(written(tmp_path / "shop.inter", content), kind=Kind.BUY)

    assert found.frame.select("user", "item", "time", "kind").rows() == [
        ("u1", "i1", 1000 * NOON, "buy"),
        ("u1", "i2", 1000 * NOON, "buy"),
    ]


@pytest.mark.parametrize(
    ("columns", "roles"),
    [
        (
            ["CustomerID", "StockCode", "InvoiceDate"],
            {"user": "CustomerID", "item": "StockCode", "time": "InvoiceDate"},
        ),
        (["visitorid", "itemid", "timestamp", "event"], {"user": "visitorid", "item": "itemid", "kind": "event"}),
        (["event_time", "event_type", "product_id", "user_id"], {"time": "event_time", "kind": "event_type"}),
        (["Kunden-ID", "Artikelnummer", "Datum"], {"user": "Kunden-ID", "item": "Artikelnummer", "time": "Datum"}),
        (["user", "item", "pos"], {"order": "pos"}),
        (["user", "item", "pos", "time"], {"time": "time"}),
    ],
)
def test_usual_column_names_are_known(tmp_path: Path, columns: list[str], roles: dict[str, str]) -> None:
    log = open_log(written(tmp_path / "log.csv", ",".join(columns) + "\n"))

    assert roles.items() <= log.roles.present().items()
    assert log.roles.present().keys() <= {*roles, "user", "item", "time", "order", "kind"}


def test_columns_can_be_mapped(tmp_path: Path) -> None:
    path = written(tmp_path / "log.csv", "who,what,user_id,number\nann,mug,7,3\n")

    log = open_log(path, {"user": "Who", "item": "what", "order": "number"})

    assert next(log.blocks()).frame.rows() == [("ann", "mug", 3, "click", "log", None)]
    assert log.clock is Clock.ORDER


def test_a_file_without_column_names_is_mapped_by_number(tmp_path: Path) -> None:
    path = written(tmp_path / "log.csv", f"1,2268318,2520377,pv,{NOON}\n1,2333346,2520771,fav,{NOON}\n")

    found = read_behaviors(path, {"user": "1", "item": "2", "kind": "4", "time": "5"})

    assert found.frame["item"].to_list() == ["2268318", "2333346"]
    assert found.frame["kind"].to_list() == ["view", "cart"]


@pytest.mark.parametrize(
    ("header", "mapping", "said"),
    [
        ("item,time", {}, "--map user=COLUMN"),
        ("user,time", {}, "--map item=COLUMN"),
        ("user,item", {}, "--map order=COLUMN"),
        ("user,item,time", {"who": "user"}, "is no role"),
        ("user,item,time", {"user": "customer"}, "there is no column 'customer'"),
        ("user,item,time,pos", {"time": "time", "order": "pos"}, "map one of the two"),
    ],
)
def test_columns_that_are_not_there_are_told(tmp_path: Path, header: str, mapping: dict[str, str], said: str) -> None:
    path = written(tmp_path / "log.csv", header + "\n")

    with pytest.raises(UnreadableLog, match=said) as told:
        open_log(path, mapping)

    assert str(path) in str(told.value)


def test_every_row_that_is_no_behaviour_has_its_line_and_reason(tmp_path: Path) -> None:
    found = log_of(
        tmp_path,
        f"u,i,{NOON},view,s",
        "u,i",
        "",
        f",i,{NOON},view,s",
        f"u,  ,{NOON},view,s",
        "u,i,yesterday,view,s",
        f"u,i,{NOON},teleported,s",
        f"u,i,{NOON},,s",
        "u,i,,view,s",
        f'u,"i,{NOON},view,s',
        f"{'u' * 201},i,{NOON},view,s",
        f"u,i\x07,{NOON},view,s",
        f"u,i,{NOON},view,\u202es",
        f"u,i,{NOON},view,s,more",
        f"u,i,{NOON},view,s",
    )

    assert reasons(found) == {
        3: "has 2 cells, but the header has 5",
        5: "has no user",
        6: "has no item",
        7: "its time is no time that can be read: 'yesterday'",
        8: "its kind is no kind of behaviour that is known: 'teleported'",
        9: "has no kind",
        10: "has no time",
        11: "has a quotation mark out of place: unexpected end of data",
        12: f"its user is longer than 200 characters: '{'u' * 59}…'",
        13: r"its item has control or invisible characters: 'i\x07'",
        14: r"its session has control or invisible characters: '\u202es'",
        15: "has 6 cells, but the header has 5",
    }
    assert (len(found.frame), found.rejected_rows) == (2, 12)


def test_the_first_reasons_are_kept_and_all_bad_rows_counted(tmp_path: Path) -> None:
    found = log_of(tmp_path, *["u,i,never,view,s"] * 500, *["u,i"] * 500, *CLEAN)

    assert (len(found.rejected), found.rejected_rows, len(found.frame)) == (100, 1000, 20)


@pytest.mark.parametrize(
    "bad",
    ['u,"i', "u,i,\x00", "u," + "i" * 200_000 + ",1,view,s", "\ud800", '"' * 7, "é,\udc80,ü", "\t;|,", '"u""x,,,,'],
    ids=["quote", "nul", "huge", "surrogate", "quotes", "no utf-8", "delimiters", "open"],
)
def test_a_hostile_line_costs_no_other_row(tmp_path: Path, bad: str) -> None:
    rows = [*CLEAN[:10], bad, *CLEAN[10:]]
    content = (HEADER + "\n".join(rows)).encode("utf-8", "surrogatepass")

    found = read_behaviors(written(tmp_path / "log.csv", content))

    assert found.frame["user"].to_list() == [f"u{number}" for number in range(20)]
    assert [row.line for row in found.rejected] == [12]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.sampled_from([*CLEAN, 'x,"y', "", "a,b,c,d,e,f", '"u","i","1","buy",""', "é,ü,2,cart,"]), max_size=30)
)
def test_rows_in_are_rows_stored_and_rejected_however_blocks_fall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str]
) -> None:
    path = written(tmp_path / "log.csv", HEADER + "\n".join(rows))
    whole = read_behaviors(path)
    monkeypatch.setattr(delimited_log, "BLOCK_BYTES", 64)
    monkeypatch.setattr(delimited_log, "LINE_BY_LINE_BYTES", 40)

    found = read_behaviors(path)

    assert len(found.frame) + found.rejected_rows == sum(bool(row) for row in rows)
    assert found.frame.equals(whole.frame)
    assert found.rejected == whole.rejected


def test_ids_are_kept_as_catalogs_keep_them(tmp_path: Path) -> None:
    found = log_of(tmp_path, f" u1 ,Cafe\u0301\u00a0,{NOON},view,s")

    assert found.frame.select("user", "item").row(0) == ("u1", "Café")


def test_lines_that_are_no_utf8_are_read_as_windows_text(tmp_path: Path) -> None:
    content = (HEADER + f"M\xfcller,i,{NOON},view,s\n").encode("latin-1") + f"Ü,i,{NOON},view,s\n".encode()

    found = read_behaviors(written(tmp_path / "log.csv", content))

    assert found.frame["user"].to_list() == ["Müller", "Ü"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    found = read_behaviors(written(tmp_path / "log.csv", (HEADER + f"ü,i,{NOON},view,s").encode(encoding)))

    assert found.frame["user"].to_list() == ["ü"]


def test_times_are_read_in_the_forms_that_logs_have(tmp_path: Path) -> None:
    noon = 1000 * NOON

    assert times(tmp_path, f"{NOON}", f"{noon}", f"{noon}000", f"{noon}000000", f"{NOON}.25") == [
        *[noon] * 4,
        noon + 250,
    ]
    assert times(tmp_path, "2020-05-04 12:00:00", "2020-05-04T12:00:00Z", "2020-05-04 12:00:00 UTC") == [noon] * 3
    assert times(tmp_path, "2020-05-04T14:00:00+02:00", "2020-05-04 12:00:00.250", "2020/05/04 12:00") == [
        noon,
        noon + 250,
        noon,
    ]
    assert times(tmp_path, "2020-05-04 12", "2020-05-04", "20200504") == [noon, *[noon - 12 * 3_600_000] * 2]


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf", "9" * 30, "1e300", "04.05.2020", "2020-13-01", "NULL", "0x10"])
def test_what_is_no_time_is_rejected(tmp_path: Path, cell: str) -> None:
    found = log_of(tmp_path, f"u,i,{cell},view,s")

    assert reasons(found) == {2: f"its time is no time that can be read: '{cell}'"}


def test_a_format_of_times_can_be_told(tmp_path: Path) -> None:
    path = written(tmp_path / "log.csv", "user,item,time\nu,i,4/5/2020 12:00\nu,i,2020-05-04\n")

    [block] = open_log(path, time_format="%d/%m/%Y %H:%M").blocks()

    assert block.frame["time"].to_list() == [1000 * NOON]
    assert [row.line for row in block.reasons] == [3]


def test_a_parquet_file_is_read_whatever_its_types(tmp_path: Path) -> None:
    noon = datetime.fromtimestamp(NOON, UTC)
    frame = pl.DataFrame(
        {
            "CustomerID": [17850.0, None, 12.5, float("nan")],
            "StockCode": pl.Series(["85123A", "mug", "mug", "mug"], dtype=pl.Categorical),
            "InvoiceDate": [noon.astimezone(timezone(timedelta(hours=2)))] * 4,
        }
    )
    frame.write_parquet(tmp_path / "log[1].parquet")

    found = read_behaviors(tmp_path / "log[1].parquet", kind=Kind.BUY)

    assert found.frame.select("user", "item", "time", "kind").rows() == [
        ("17850", "85123A", 1000 * NOON, "buy"),
        ("12.5", "mug", 1000 * NOON, "buy"),
    ]
    assert reasons(found) == {2: "has no user", 4: "has no user"}


@pytest.mark.parametrize(
    ("cells", "time"),
    [
        (pl.Series([date(2020, 5, 4)]), 1000 * NOON - 12 * 3_600_000),
        (pl.Series([datetime(2020, 5, 4, 12)], dtype=pl.Datetime("ns")), 1000 * NOON),  # noqa: DTZ001 - as files have it
        (pl.Series([NOON], dtype=pl.Int32), 1000 * NOON),
        (pl.Series([NOON + 0.5]), 1000 * NOON + 500),
    ],
    ids=["date", "naive", "int", "float"],
)
def test_times_of_parquet_are_read(tmp_path: Path, cells: pl.Series, time: int) -> None:
    pl.DataFrame({"user": ["u"], "item": ["i"], "time": cells}).write_parquet(tmp_path / "log.parquet")

    assert read_behaviors(tmp_path / "log.parquet").frame["time"].to_list() == [time]


def test_a_column_of_lists_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"user": ["u"], "item": [["i"]], "time": [NOON]}).write_parquet(tmp_path / "log.parquet")

    with pytest.raises(UnreadableLog, match="the column 'item' holds"):
        read_behaviors(tmp_path / "log.parquet")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.xlsx", b"PK"),
        ("log", b"user,item,time"),
        ("log.csv", b""),
        ("log.csv", b"\n \n"),
        ("log.csv", b'"user,item,time\n'),
        ("log.csv.gz", b"no gzip"),
        ("log.parquet", b"PAR1PAR1"),
        ("log.parquet", b""),
        ("s3:/log.parquet", b""),
        ("missing.csv", None),
        ("missing.parquet", None),
    ],
)
def test_a_file_that_is_no_log_is_refused_by_name(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    with pytest.raises(ReaseqError) as told:
        read_behaviors(path)

    assert str(path) in str(told.value)


def test_a_packed_file_that_expands_without_end_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "log.csv.gz", HEADER + "\n" * 2_000_000)

    with pytest.raises(ReaseqError, match="expands to more than 1,000,000 bytes"):
        list(open_log(path, limits=ReadLimits(expanded_bytes=1_000_000)).blocks())


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited_log, "BLOCK_BYTES", 1000)
    path = written(tmp_path / "log.csv", HEADER + "u" * 20_000)

    with pytest.raises(UnreadableLog, match="a line of more than 10,000 bytes"):
        list(open_log(path, limits=ReadLimits(row_bytes=10_000)).blocks())
