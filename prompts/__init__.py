"""What prompt engineers edit: one Markdown file a prompt, and the library that loads and checks them."""
