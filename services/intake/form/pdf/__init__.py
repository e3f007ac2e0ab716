"""The questionnaire and the copy of somebody's answers as tagged PDF: composed here, typeset in a process of its own."""
