"""The products that every client sends: one kind, each text its own."""

BRANDS = ("Acme", "Norvik", "Halden", "Brightwell", "Tamura", "Osprino", "Kestrel", "Lumora")
COLORS = ("red", "blue", "black", "white", "green")
DESCRIPTION = (
    "The {model} keeps drinks cold for 24 hours and hot for 12. Leakproof lid, BPA free, powder coated. "
    "It fits most cup holders and the side pocket of a backpack; the wide mouth takes ice cubes and is quickly cleaned."
)


def title(number: int) -> str:
    """Return the title of one product."""
    color = COLORS[number % len(COLORS)]
    return f"{brand(number)} {model(number)} stainless steel water bottle {300 + number % 9 * 50} ml {color}"


def description(number: int) -> str:
    """Return its description."""
    return DESCRIPTION.format(model=model(number))


def product_text(number: int) -> str:
    """Return both as a prompt shows them."""
    return f"title: {title(number)}\ndescription: {description(number)}"


def brand(number: int) -> str:
    """Return its brand, which no other product has: equal claims of two products would be equal questions."""
    return f"{BRANDS[number % len(BRANDS)]}{number}"


def model(number: int) -> str:
    """Return its model's name."""
    return f"WB{number:06d}"
