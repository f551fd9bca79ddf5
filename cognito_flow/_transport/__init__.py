"""Makes the calls that an exchange asks for. The only package of the core that knows boto and asyncio."""
