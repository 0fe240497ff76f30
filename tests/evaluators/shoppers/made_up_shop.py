"""A small made-up shop: leaf categories with brands and colours, and demands that some of them share."""

from evaluators.shoppers.shop import ShopItem

CATEGORIES = ("mugs", "tents", "socks", "candles", "drills", "teas", "pens", "lamps", "bottles", "boots")
SHARED = {
    "tents": "camping trips",
    "bottles": "camping trips",
    "boots": "camping trips",
    "mugs": "tea time",
    "teas": "tea time",
}


def made_up_shop(items: int = 8) -> list[ShopItem]:
    """Return `items` items in each category; every second one is of the brand Acme, every third one is red."""
    return [
        ShopItem(
            id=f"{category}-{number}",
            category=f"Made up > {category}",
            attributes=(
                ("brand", "Acme" if number % 2 else "Nordlicht"),
                ("color", "red" if number % 3 == 0 else "blue"),
                ("model", f"{category} {number}"),
            ),
            demands=(f"somebody who likes {category}", *((SHARED[category],) if category in SHARED else ())),
        )
        for category in CATEGORIES
        for number in range(items)
    ]
