"""The four dependent questions as clients other than reaseq put them: each holds the answer to the one before."""
# It runs in environments of their own, which mypy does not see.
# mypy: ignore-errors

from products import product_text

CATEGORY = "Choose the category of this product: kitchen.water-bottles, kitchen.cups or kitchen.jugs.\n\n{product}"
EXTRACTION = (
    "State the brand of this product of category {earlier}, with the words that say so: attribute, value, field, "
    "quote, confidence.\n\n{product}"
)
CRITIC = "Rule on these claims about the product: accept, revise or reject.\n\n{earlier}\n\n{product}"
SUMMARY = "Say in one sentence what the accepted claims say.\n\n{earlier}\n\n{product}"
QUESTIONS = {"category": CATEGORY, "extraction": EXTRACTION, "critic": CRITIC, "summary": SUMMARY}

CATEGORIES = ["kitchen.water-bottles", "kitchen.cups", "kitchen.jugs"]
DECISIONS = ["accept", "revise", "reject"]


def question(stage: str, number: int, earlier: str) -> str:
    """Return what is asked of a product at a stage; `earlier` is the answer before."""
    return QUESTIONS[stage].format(product=product_text(number), earlier=earlier)


def schema(stage: str) -> dict:
    """Return the JSON schema of a stage's answer."""
    return _closed(
        {
            "category": {"category_id": {"type": "string", "enum": CATEGORIES}, "confidence": {"type": "number"}},
            "extraction": {"claims": _list_of(dict.fromkeys(["attribute", "value", "field", "quote"], _TEXT))},
            "critic": {"verdicts": _list_of({"claim": _TEXT, "decision": {"type": "string", "enum": DECISIONS}})},
            "summary": {"summary": _TEXT},
        }[stage]
    )


_TEXT = {"type": "string"}


def _closed(properties: dict) -> dict:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list_of(properties: dict) -> dict:
    return {"type": "array", "items": _closed(properties), "minItems": 1}
