"""The command line.

A module of commands imports click and what is as light; what a command does its work with, it imports when
it is run. So help, completion and a wrong command line answer at once. `render` holds what commands print.
"""

from headwater.shadowed import exit_where_shadowed

# Before anything is imported from them.
exit_where_shadowed()
