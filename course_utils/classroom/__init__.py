"""For teachers: an edition without solutions, slides, one file for an offline room.

`python -m course_utils.classroom --help` lists the commands. `students.write`,
`slides.write` and `pack.write` do the same from Python. All of them read the lessons and
write somewhere else; nothing that exists is replaced.
"""
