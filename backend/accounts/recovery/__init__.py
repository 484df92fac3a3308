"""The ways back for those who forgot: whose code goes where, and what may then be set anew."""
