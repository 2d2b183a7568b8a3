"""What the scripts share: evaluation data, prompts, the program and its models, turns and medians.

Installed by `pip install -e ./scripts`. Only `scores` needs a package beyond Python's own.
"""
