"""Every call of a model with its raw answer, stored as it came, before anything is parsed."""

from collections.abc import Iterator

from sqlalchemy import insert
from sqlmodel import Session, col, select

from memory.model_call import Message, ModelCall, Usage
from memory.rows import Row, now
from memory.tables import ModelCallRow, escaped, unescaped


def record_call(session: Session, call: ModelCall) -> None:
    """Store one call; it is durable once the caller has committed.

    NUL and lone surrogates in messages and answers are escaped in the database and come back as they were
    (`memory.tables.escaped`).
    """
    session.execute(insert(ModelCallRow), [_row(call)])


def calls_of(session: Session, item_id: str) -> Iterator[ModelCall]:
    """Yield the calls made for an item (or for a category's template, by the category's id), in the order stored."""
    query = select(ModelCallRow).where(ModelCallRow.item_id == item_id).order_by(col(ModelCallRow.id))
    yield from map(_call, session.exec(query))


def _row(call: ModelCall) -> Row:
    return call.model_dump(exclude={"messages", "usage"}) | {
        "messages": [[message.role, escaped(message.content)] for message in call.messages],
        "prompt_tokens": call.usage.prompt_tokens,
        "completion_tokens": call.usage.completion_tokens,
        "usage_estimated": call.usage.estimated,
        "created_at": now(),
    }


def _call(row: ModelCallRow) -> ModelCall:
    content = {name: getattr(row, name) for name in ModelCall.model_fields if name not in {"messages", "usage"}}
    messages = [{"role": role, "content": unescaped(content)} for role, content in row.messages]
    usage = Usage(
        prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens, estimated=row.usage_estimated
    )
    return ModelCall.model_validate(
        content | {"messages": tuple(Message.model_validate(m) for m in messages), "usage": usage}
    )
