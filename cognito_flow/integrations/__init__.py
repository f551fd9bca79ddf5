"""Token sources at work in other libraries: httpx, requests, and boto3 with an identity pool.

Rule of this package: nothing is imported before it is asked for. Import the module of the library in use.
"""
