"""What the scripts share: evaluation data, prompts, the program and its models, turns and medians.

Installed by `pip install -e ./scripts`; nothing in here needs a package beyond Python's own when it
is imported.
"""
