"""Tables and pages of results, in Markdown."""

import os
import pathlib
import platform
import re


def cpu():
    """What processor this is, its widest vectors, whether it multiplies bfloat16, and how many cores there are."""
    info = pathlib.Path("/proc/cpuinfo")
    known = dict(re.findall(r"^(.*\S)\s*: (.*)$", info.read_text(), re.MULTILINE)) if info.exists() else {}
    flags = known.get("flags", "").split()
    details = [f"{key} {known[key]}" for key in ("cpu family", "model") if key in known]
    details += [flag for flag in ("avx512f", "avx2") if flag in flags][:1] + ["avx512_bf16"] * ("avx512_bf16" in flags)
    name = known.get("model name", platform.machine())
    return f"{name} ({', '.join(details)}), {os.cpu_count()} cores" if details else f"{name}, {os.cpu_count()} cores"


def format_table(formats, rows):
    """In Markdown, with the columns of `formats` that any row has, in that order; numbers to the right."""
    columns = [column for column in formats if any(column in row for row in rows)]
    cells = [[format(row[column], formats[column]) if column in row else "-" for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells)]
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    lines = [[row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
             for row in (columns, rule, *cells)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def format_page(title, about, doc, table):
    """`doc` is of the script that made the table; from the third paragraph on it tells what the columns are."""
    columns = doc.split("\n\n", 2)[2].rstrip()
    return f"# {title}\n\n{about}\n\n```\n{columns}\n```\n\n{table}\n"
