"""What a capable model says to each question of the graph, for the server of tests/loopback_provider.py."""

import re

from tests.loopback_provider import Asked


def willing(asked: Asked) -> object:
    """Answer as an honest model does: the first category, the title's first word as brand, every claim accepted."""
    match sorted(asked.schema["properties"]):
        case ["category_id", "confidence"]:
            return {"category_id": asked.schema["properties"]["category_id"]["enum"][0], "confidence": 0.9}
        case ["attributes"]:
            return {"attributes": []}
        case ["claims"]:
            return {"claims": [claim("brand", first_word(asked), first_word(asked), "title")]}
        case ["verdicts"]:
            return {"verdicts": [accepted(claim_id) for claim_id in claim_ids(asked)]}
        case ["demands"]:
            return {"demands": [demand("carrying it home from the shop")]}
        case ["rulings"]:
            ids = asked.schema["properties"]["rulings"]["items"]["properties"]["demand_id"]["enum"]
            return {"rulings": [{"demand_id": demand_id, "decision": "accept", "note": ""} for demand_id in ids]}
        case ["summary"]:
            return {"summary": "It is a product."}
    raise AssertionError(f"the graph asks a question that is new here: {asked.schema}")


def claim(attribute: str, value: str, quote: str, field: str) -> dict[str, object]:
    """Return one proposal of the attribute extractor."""
    return {"attribute": attribute, "value": value, "field": field, "quote": quote, "confidence": 0.9}


def demand(text: str) -> dict[str, object]:
    """Return one demand of the demand analyst."""
    return {
        "relation": "used_for",
        "text": text,
        "positive": True,
        "plausibility": 0.8,
        "typicality": 0.3,
        "rests_on": [],
    }


def accepted(claim_id: str) -> dict[str, str]:
    """Return the critic's ruling that lets a claim through."""
    return {"claim_id": claim_id, "decision": "accept", "note": ""}


def claim_ids(asked: Asked) -> list[str]:
    """Return the ids of the claims that the critic is shown."""
    return re.findall(r"^- (\d+\.\d+\.\w+): ", asked.text, re.MULTILINE)


def first_word(asked: Asked) -> str:
    """Return the first word of the item's title."""
    title = re.search(r"^title: (\S+)", asked.text, re.MULTILINE)
    assert title is not None, asked.text
    return title[1]
