"""The states of an attempt as a diagram for `docs/` and as a trigger in SQL, both made from `states.EDGES`."""

from tenant_apps.payments.states import EDGES, LIVE, AttemptState

PICTURE = "docs/payment-states.md"


def mermaid() -> str:
    """The graph in Mermaid's language, which GitHub and GitLab draw."""
    into = {to for _, to in EDGES}
    starts = [state for state in AttemptState if state not in into]
    ends = [state for state in AttemptState if not any(start == state for start, _ in EDGES)]
    lines = ["stateDiagram-v2", "    direction LR"]
    lines += [f"    [*] --> {state.name}" for state in starts]
    lines += [f"    {start.name} --> {to.name}: {number}" for number, (start, to) in enumerate(EDGES, 1)]
    lines += [f"    {state.name} --> [*]" for state in ends]
    lines += ["    classDef live stroke-width:3px"]
    lines += [f"    class {state.name} live" for state in LIVE]
    return "\n".join(lines)


def page() -> str:
    """The text of `docs/payment-states.md`."""
    rows = [
        f"| {number} | {start.name} | {to.name} | {reason} |"
        for number, ((start, to), reason) in enumerate(EDGES.items(), 1)
    ]
    states = [
        f"| {state.name} | {state.label} | {'yes' if state in LIVE else 'no'} |" for state in AttemptState
    ]
    return "\n".join(
        [
            "# The states of an attempt to pay",
            "",
            "`manage.py draw_states` draws this from `tenant_apps/payments/states.py`; a test fails when it is old.",
            "Thick boxes: a live attempt, which reserves its invoice. The database refuses any other change of state.",
            "",
            "```mermaid",
            mermaid(),
            "```",
            "",
            "| | from | to | why |",
            "|---|---|---|---|",
            *rows,
            "",
            "| state | what staff read | reserves the invoice |",
            "|---|---|---|",
            *states,
            "",
        ]
    )


def guard() -> str:
    """The body of the trigger's function. A change of EDGES needs a migration with this text."""
    edges = ",\n        ".join(f"'{start}>{to}'" for start, to in EDGES)
    return f"""
CREATE OR REPLACE FUNCTION payments_guard_state() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF (OLD.state || '>' || NEW.state) NOT IN (
        {edges}
    ) THEN
        RAISE EXCEPTION 'an attempt does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'attempt_state_edge';
    END IF;
    RETURN NEW;
END
$body$;
"""
